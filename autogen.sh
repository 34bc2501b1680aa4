#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Make ./configure from configure.ac (needs autoconf, automake, pkg-config).
set -eu
cd "$(dirname "$0")"
mkdir -p m4 build-aux
autoreconf --install --force
