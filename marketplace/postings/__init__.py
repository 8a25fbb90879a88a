"""What challenges, needs and capabilities have in common: columns, indicator forms, lists, match texts."""
