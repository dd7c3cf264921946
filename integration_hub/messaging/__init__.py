"""The spine: inbox, dispatch, outbox, polling and the workers that move them."""
