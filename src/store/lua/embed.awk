# SPDX-License-Identifier: Apache-2.0
# Write the scripts named on the command line as C strings: one array, one row
# a file, named by its place in enum kv_script. Comments become empty lines, so
# that the line numbers of Redis's messages stay true.

BEGIN {
	print "/* SPDX-License-Identifier: Apache-2.0 */"
	print "/* Made from src/store/lua by embed.awk. */"
	print "static const char *const kv_scripts[] = {"
}

FNR == 1 {
	name = FILENAME
	sub(/^.*\//, "", name)
	sub(/\.lua$/, "", name)
	if (NR > 1)
		print "    ,"
	print "    [KV_SCRIPT_" toupper(name) "] ="
}

{
	if ($0 ~ /^--/)
		$0 = ""
	gsub(/\\/, "&&")
	gsub(/"/, "\\\\&")
	gsub(/\t/, "\\t")
	print "        \"" $0 "\\n\""
}

END {
	print "};"
}
