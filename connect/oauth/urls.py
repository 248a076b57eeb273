"""Addresses of OAuth. The namespace is the library's, which reverses its own names."""

from django.urls import path
from oauth2_provider.views import JwksInfoView

from connect.oauth import consent, discovery, endpoints

app_name = "oauth2_provider"

urlpatterns = [
    path("oauth/authorize", consent.AuthorizeView.as_view(), name="authorize"),
    path("oauth/device", consent.device, name="device"),
    path("oauth/device_authorization", endpoints.DeviceAuthorizationView.as_view(), name="device-authorization"),
    path("oauth/token", endpoints.TokenView.as_view(), name="token"),
    path("oauth/revoke", endpoints.RevokeView.as_view(), name="revoke-token"),
    path("oauth/introspect", endpoints.IntrospectView.as_view(), name="introspect"),
    path("oauth/userinfo", endpoints.WhoView.as_view(), name="user-info"),
    path(".well-known/oauth-authorization-server", discovery.metadata, name="oauth-server-metadata"),
    path(".well-known/openid-configuration", discovery.metadata, name="oidc-connect-discovery-info"),
    path(".well-known/oauth-protected-resource", discovery.protected_resource, name="oauth-resource-metadata"),
    path(".well-known/jwks.json", JwksInfoView.as_view(), name="jwks-info"),
]
