"""通知公告: what the operator tells everybody."""
