"""Imports every feature's models, so that Alembic and the tests see all tables (a test checks that)."""

import marketplace.announcements.models
import marketplace.attachments.models
import marketplace.audit.models
import marketplace.capabilities.models
import marketplace.challenges.models
import marketplace.engagement.models
import marketplace.exchange.models
import marketplace.identity.models
import marketplace.kernel.heartbeat
import marketplace.kernel.numbering
import marketplace.kernel.outbox
import marketplace.matching.models
import marketplace.needs.models
import marketplace.notifications.models
import marketplace.organisations.members.models
import marketplace.organisations.models
import marketplace.postings.models
import marketplace.search.models
import marketplace.taxonomy.models  # noqa: F401
