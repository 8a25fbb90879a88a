"""Which versions of 用户协议 and 隐私政策 hold. A changed text gets a new version here."""

from marketplace.identity.models import ConsentDocument

CURRENT_VERSIONS = {ConsentDocument.TERMS: "2026-11-01", ConsentDocument.PRIVACY: "2026-11-23"}
