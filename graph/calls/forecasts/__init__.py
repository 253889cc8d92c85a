"""Forecasts for each customer: features as of a date, a label, a split by time, a model with a report and reasons."""
