"""Letters to people: in the site, and by mail where a mail server is set."""
