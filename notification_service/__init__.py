"""What the customer is told: a notification for each order that ends."""
