"""Topics for people who debug: what is there, what stands in it, and how to have it again."""
