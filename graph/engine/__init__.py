"""The product's own Neo4j: fetched once per user, started for a home by its first user, gone with the last.

releases   the versions that are run, and what differs between them
jars       the lock files: every jar of a release, with its checksum
fetch      one cache of verified jars per user
config     neo4j.conf, and memory from the machine's size
java       the Java runtime from a wheel, and the commands run on it
aot        quicker starts, once `prepare` has been run
keeper     the process that owns a home's server
server     `running`: what everybody else calls
hold       a hold on the server: alone where nobody else uses it
swap       a store made beside takes the place of the one in use
tied       a command that ends with the process that started it
"""
