"""Render: figures as text and markup, without a rich console and without records."""
