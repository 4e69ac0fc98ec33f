from base64 import urlsafe_b64decode

from gateway.stack.java import properties
from gateway.stack.kafka import cluster_id


def test_a_cluster_id_is_never_taken_for_an_option():
    ids = [cluster_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert not [one for one in ids if one.startswith("-")]
    assert all(len(urlsafe_b64decode(one + "==")) == 16 for one in ids)


def test_properties_write_booleans_as_java_reads_them():
    assert properties({"a.b": True, "c": False, "d": 5, "e": "True"}) == "a.b=true\nc=false\nd=5\ne=True\n"
