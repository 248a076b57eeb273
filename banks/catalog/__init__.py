"""The public half of `banks`: this package holds only the app and its migrations; models live in `banks.models`.

Which banks there are, and how they are, is the same for every environment, so it stands in the public schema.
"""
