"""The REST API: tokens with a role, problem details, cursor pagination; viewsets live with their app."""
