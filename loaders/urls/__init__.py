"""From visits to what they mean: `url_rules` over `web_visits`.

addresses  what a host and a path are        rules     patterns compiled to sorted arrays
match      addresses to rules                month     one month's visits to rows of `web_use`
hosts      untranslated hosts fit to be seen coverage  how much was recognised, and what was not
stage      which months are due in a load
"""
