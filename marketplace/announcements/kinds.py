"""What announcements are about."""

from marketplace.announcements.models import AnnouncementCategory
from marketplace.kernel.texts import N_

CATEGORY_LABELS = {
    AnnouncementCategory.NOTICE: N_("通知"),
    AnnouncementCategory.PUBLICITY: N_("公示"),
    AnnouncementCategory.POLICY: N_("政策"),
    AnnouncementCategory.SERVICE: N_("服务动态"),
}
