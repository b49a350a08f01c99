"""The loop of monitoring, as a story: a market changes, the system notices, decides and acts."""
