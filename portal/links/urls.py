"""The one address of a message's page. It takes any text: what is malformed is answered like what is unknown."""

from django.urls import path

from portal.links import views

urlpatterns = [path("<str:token>/", views.message, name="message_page")]
