"""Start pages, connections, ledgers."""

from __future__ import annotations

from django.urls import path

from . import alerts, audit, case_figures, chain, connections, ledgers, start, statements

urlpatterns = [
    path("", start.home, name="start"),
    path("start/<slug:role>/", start.start_page, name="start_page"),
    path("start/<slug:role>/now/", start.live, name="start_live"),
    path("figures/exceptions/", case_figures.page, name="case_figures"),
    path("connections/", connections.listing, name="connections"),
    path("connections/new/", connections.choose, name="connection_new"),
    path("connections/new/<slug:kind>/", connections.add, name="connection_add"),
    path("connections/<int:pk>/", connections.page, name="connection"),
    path("connections/<int:pk>/settings/", connections.edit, name="connection_edit"),
    path("connections/<int:pk>/do/<str:code>/", connections.act, name="connection_action"),
    path("connections/<int:pk>/processes/<slug:code>/", connections.switch, name="connection_switch"),
    path("statements/", statements.page, name="statements"),
    path("events/", ledgers.events, name="events"),
    path("events/<int:pk>/", ledgers.event, name="event"),
    path("events/<int:pk>/do/<str:code>/", ledgers.event_action, name="event_action"),
    path("commands/", ledgers.commands, name="commands"),
    path("commands/<int:pk>/", ledgers.command, name="command"),
    path("commands/<int:pk>/do/<str:code>/", ledgers.command_action, name="command_action"),
    path("alerts/", alerts.listing, name="alerts"),
    path("alerts/<int:pk>/do/<str:code>/", alerts.act, name="alert_action"),
    path("alerts/channels/", alerts.channels, name="alert_channels"),
    path("alerts/channels/new/", alerts.channel_edit, name="alert_channel_new"),
    path("alerts/channels/<int:pk>/", alerts.channel, name="alert_channel"),
    path("alerts/channels/<int:pk>/settings/", alerts.channel_edit, name="alert_channel_edit"),
    path("alerts/channels/<int:pk>/do/<str:code>/", alerts.channel_action, name="alert_channel_action"),
    path("alerts/channels/<int:pk>/told/", alerts.channel_subscribe, name="alert_channel_subscribe"),
    path("alerts/rules/", alerts.rule_list, name="alert_rules"),
    path("alerts/rules/new/", alerts.rule_edit, name="alert_rule_new"),
    path("alerts/rules/<int:pk>/", alerts.rule_edit, name="alert_rule"),
    path("audit/", audit.page, name="audit"),
    path("activity/", ledgers.activity, name="activity"),
    path("money/chain/<slug:start>/<int:pk>/", chain.page, name="chain"),
]
