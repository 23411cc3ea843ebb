"""What pytest is to leave alone here: pages that the site is made of, written when it is built."""

collect_ignore = ["conf.py", "project"]
