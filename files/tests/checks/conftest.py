from files.tests.new_databases import mysql_url, opened, postgresql_url

__all__ = ["mysql_url", "opened", "postgresql_url"]
