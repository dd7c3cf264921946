"""One login per role for the demo.  Only ``manage.py demo`` makes them, and only on this machine."""

from __future__ import annotations

from django.contrib.auth.models import Group

from integration_hub.models import User
from integration_hub.roles import ROLES

NAMES = {
    "administrator": ("Anna", "Admin"),
    "finance": ("Frida", "Finanz"),
    "operations": ("Olaf", "Betrieb"),
    "marketing": ("Mara", "Markt"),
    "integrator": ("Ines", "Netz"),
    "auditor": ("Paul", "Prüfer"),
}


def logins() -> list[tuple[str, str]]:
    """Name and password of each."""
    return [(role, f"demo-{role}") for role in ROLES]


def make() -> None:
    """Make who is missing; a password that somebody changed stays."""
    for role, password in logins():
        first, last = NAMES[role]
        user, made = User.objects.get_or_create(
            username=role,
            defaults={"first_name": first, "last_name": last, "email": f"{role}@example.com", "is_staff": True},
        )
        if made:
            user.set_password(password)
            user.is_superuser = role == "administrator"
            user.save()
            user.groups.add(Group.objects.get(name=role))
