"""What names, values, dates, versions and match keys mean."""
