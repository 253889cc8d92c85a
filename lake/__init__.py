"""What every room shares: the home and its tables, settings, pseudonyms, periods and errors.

Nothing here knows of loaders, graph, embeddings, matching or the API; all of them know this.
"""
