"""The exception list: every doubt is a row with reason, amount at risk, owner, due time and a fix."""
