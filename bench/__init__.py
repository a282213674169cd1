"""What the platform achieves: scenarios, each on a throw-away platform, and recorded results."""
