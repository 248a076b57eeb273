"""What people try in order to make a server call what stands behind its own walls."""

from __future__ import annotations

HOSTS = [
    # the machine itself, in every spelling that a resolver understands
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
    "127.0.0.1.", "0", "0.0.0.0", "localhost", "localhost.", "LOCALHOST", "api.localhost", "ip6-localhost",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]", "127.0.0.1%00.example.com", "127%2e0.0.1",
    # letters and dots that become plain ones
    "１２７.０.０.１", "127。0。0。1", "①②⑦.⓪.⓪.①", "ｌｏｃａｌｈｏｓｔ", "loc\u00adalhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    # IPv4 carried through IPv6
    "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "[2a00:1450:4001:80b:0:5efe:7f00:1]",
    # inner networks and metadata services
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16",
    "192.0.0.192", "198.18.0.1", "224.0.0.1", "255.255.255.255", "203.0.113.9", "[fe80::1]", "[fe80::1%25lo]",
    "[fe80::1%lo]", "[::1%lo]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]",
    "[4000::1]",
    # user names before the host, and hosts that two readers read differently
    "example.com@127.0.0.1", "example.com:80@127.0.0.1", "127.0.0.1\\@example.com", "127.0.0.1#@example.com",
    "example.com\t@127.0.0.1", "127.0.0.1 .example.com", "[::1", "[v1.x]", "", ".", "exa..mple.com", "-example.com",
    f"{'a' * 64}.example.com", "intranet",
]  # fmt: skip

URLS = [
    "http:///127.0.0.1/", "http:127.0.0.1", "//127.0.0.1/", " http://127.0.0.1/", "http://", "", "127.0.0.1",
    "http://example.com:0/", "http://example.com:99999/", "http://example.com:٨٠/", "http://example.com:80x/",
    "http://smtp.example.com:25/", "https://example.com/#secret", "https://example.com/#", "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL", "ftp://127.0.0.1/", "unix:///run/valkey.sock", "javascript:alert(1)",
    f"http://example.com/{'a' * 2048}", "http://example.com/\r\nHost: 127.0.0.1",
]  # fmt: skip
