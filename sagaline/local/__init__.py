"""The embedded platform: a real Kafka and a real PostgreSQL, without Docker, Java or root."""
