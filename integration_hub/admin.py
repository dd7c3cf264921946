"""People: who may come in, in which role.  What other packages register is taken out; it has no place in daily work."""

from __future__ import annotations

from typing import Any

import axes.admin
import django.contrib.auth.admin
import django_q.admin
import knox.admin
from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from .backoffice.words import term
from .dashboards.start import PAGES
from .kernel.text import say
from .models import User
from .models.activity import note

# their admin modules were imported above, so nothing registers these again later
FOREIGN = (axes.admin, django.contrib.auth.admin, django_q.admin, knox.admin)

for _label in ("axes", "auth", "django_q", "knox"):
    for _model in apps.get_app_config(_label).get_models():
        if admin.site.is_registered(_model):
            admin.site.unregister(_model)


class RoleField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One role per person."""

    def label_from_instance(self, obj: Any) -> str:
        return term(f"role:{obj.name}")


def _role_field() -> RoleField:
    return RoleField(
        label=_("Role"),
        widget=UnfoldAdminSelectWidget,
        empty_label=_("choose …"),
        queryset=Group.objects.filter(name__in=PAGES).order_by("name"),  # other groups are for systems
        help_text=_("What the person sees and may do. Their start page follows from it."),
    )


class RoleFilter(admin.SimpleListFilter):
    """People of one role."""

    title = _("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, term(f"role:{name}")) for name in PAGES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(groups__name=self.value()) if self.value() else queryset


class NewPersonForm(UserCreationForm):  # type: ignore[misc]
    """A new person has a role from the beginning."""

    role = _role_field()


class PersonForm(UserChangeForm):  # type: ignore[misc]
    """A person and their role."""

    role = _role_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].initial = self.instance.groups.order_by("pk").first()


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """People are made here by administrators and never deleted, because the books keep their names."""

    form = PersonForm
    add_form = NewPersonForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "role_label", "is_active", "last_login")
    list_filter = ("is_active", RoleFilter)
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "language")}),
        (_("Access"), {"fields": ("role", "is_active", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email", "role", "password1", "password2")}),
    )
    readonly_fields = ("last_login",)

    @admin.display(description=_("role"))
    def role_label(self, user: User) -> str:
        return term(f"role:{user.role}")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """The language is chosen from those there are."""
        if db_field.name == "language":
            choices = [("", _("German (default)")), ("de", _("German")), ("en", _("English"))]
            label = capfirst(db_field.verbose_name)
            return forms.ChoiceField(label=label, choices=choices, required=False, widget=UnfoldAdminSelectWidget)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Everybody with a role may use these pages; the role is the one group."""
        obj.is_staff = True
        super().save_model(request, obj, form, change)
        role = form.cleaned_data.get("role")
        before = obj.role
        if role is not None:
            obj.groups.set([role])
            text = say("Role: %(old)s → %(to)s", old=f"role:{before}", to=f"role:{role.name}")
            if before != role.name:
                note(obj, "users.role", text, by=request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
