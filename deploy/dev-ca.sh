#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A certificate authority for development, and a server certificate from it for
# localhost and 127.0.0.1. Harmless to repeat: what is there and good for a
# month stays. Nobody should trust this authority outside of their own machine.
#   dev-ca.sh FOLDER
# makes FOLDER/ca.pem, ca.key, server.pem, server.key (keys: EC P-256, 0600).
set -eu
umask 077

folder=${1:?usage: dev-ca.sh FOLDER}
month=2592000

is_good() { # CERTIFICATE
	[ -s "$1" ] && openssl x509 -in "$1" -noout -checkend "$month" >/dev/null
}

is_signed() {
	openssl verify -CAfile "$folder/ca.pem" "$folder/server.pem" >/dev/null 2>&1
}

make_key() { # FILE
	openssl ecparam -name prime256v1 -genkey -noout -out "$1"
}

make_authority() {
	make_key "$folder/ca.key"
	openssl req -x509 -new -sha256 -days 3650 \
		-key "$folder/ca.key" -out "$folder/ca.pem" \
		-subj "/O=Claviger development/CN=Claviger development CA" \
		-addext "basicConstraints=critical,CA:TRUE,pathlen:1" \
		-addext "keyUsage=critical,keyCertSign,cRLSign"
}

server_extensions() {
	cat <<'EOF'
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
EOF
}

make_server() {
	make_key "$folder/server.key.new"
	server_extensions >"$folder/server.ext"
	openssl req -new -key "$folder/server.key.new" -subj "/CN=localhost" |
		openssl x509 -req -sha256 -days 825 \
			-set_serial "0x$(openssl rand -hex 16 | sed 's/^./1/')" \
			-CA "$folder/ca.pem" -CAkey "$folder/ca.key" \
			-extfile "$folder/server.ext" -out "$folder/server.pem.new" 2>/dev/null
	mv "$folder/server.key.new" "$folder/server.key"
	mv "$folder/server.pem.new" "$folder/server.pem"
	rm -f "$folder/server.ext"
}

mkdir -p "$folder"
if ! is_good "$folder/ca.pem" || [ ! -s "$folder/ca.key" ]; then
	make_authority
fi
if ! is_good "$folder/server.pem" || [ ! -s "$folder/server.key" ] || ! is_signed; then
	make_server
fi
chmod 644 "$folder/ca.pem" "$folder/server.pem"
