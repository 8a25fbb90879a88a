"""Who may reach the routes of files. Whose a file is to read or write, its owner's rule says."""

from marketplace.kernel.access import ANYONE, SIGNED_IN, allow

allow(
    {
        ("attachment", "download"): ANYONE,
        ("attachment", "download_confidential"): SIGNED_IN,
        ("attachment", "manage"): SIGNED_IN,
        ("attachment", "upload"): SIGNED_IN,
        ("attachment", "remove"): SIGNED_IN,
    }
)
