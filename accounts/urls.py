"""The addresses of logging in, and of a person's own security."""

from django.urls import path

from accounts.views import coming_in, joining, security

urlpatterns = [
    path("login/", coming_in.log_in, name="login"),
    path("login/passkey/", coming_in.passkey, name="login_passkey"),
    path("login/passkey/options/", coming_in.passkey_options, name="login_passkey_options"),
    path("login/second/", coming_in.second, name="login_second"),
    path("login/enrol/", coming_in.enrol, name="login_enrol"),
    path("login/enrol/options/", coming_in.enrol_options, name="login_enrol_options"),
    path("join/", joining.join, name="join"),
    path("join/options/", joining.join_options, name="join_options"),
    path("join/<str:token>/", joining.invitation, name="invitation"),
    path("account/", security.security, name="security"),
    path("account/enrol/", security.enrol, name="security_enrol"),
    path("account/enrol/options/", security.enrol_options, name="security_enrol_options"),
    path("account/codes/", security.renew_codes, name="security_codes"),
    path("account/factors/<int:pk>/remove/", security.remove, name="security_remove"),
    path("account/sessions/end/", security.end_sessions, name="security_end_all"),
    path("account/sessions/<uuid:number>/end/", security.end_session, name="security_end"),
    path("account/confirm/", security.confirm, name="security_confirm"),
    path("account/confirm/options/", security.confirm_options, name="security_confirm_options"),
]
