"""What every screen is made of: actions, admin base classes, page shell, security headers."""
