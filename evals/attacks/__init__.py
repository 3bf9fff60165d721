"""The approval-bypass suite: attacks on the gate as code, each judged by what the database holds afterwards.

An attack is a function over a small company that was just built. It uses what an attacker has (a session, an agent's
token, the application's database role, the database file) and tries to get something done that needs approvals it
does not have. The judge believes no answer of the attacked code: it reads the tables.
"""
