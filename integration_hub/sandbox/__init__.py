"""The outside world as a separate program: two shops and an ERP that speak the real wire formats and can misbehave."""
