"""The portal's pages: translate, call one service once, translate back."""
