"""What happens to an order after it was taken: cancellations, returns, refunds and the like, each a process of its own."""
