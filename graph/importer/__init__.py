"""The lake into the product's own store by Neo4j's offline importer: a new store that takes the old one's place.

columns   a table's columns as the importer's CSV, of the types that Bolt writes
ids       dense numbers for nodes, by label and key
carried   what customers answered through the API, and the nodes that only that needs, out of the old store
csv_files the parts of the graph as CSV files
run       a new store made and put in the old one's place, for `graph.fill`
"""
