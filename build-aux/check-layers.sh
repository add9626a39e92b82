#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check-layers - each folder of src/ includes only the layers below it
#
# The rule is the table; an include is "folder/file.h". jemalloc is known to
# pool/je* alone.
set -u
cd "${top_srcdir:-$(dirname "$0")/..}/src" || exit 99
bad=0

allowed() {
	case $1 in
	base)		echo base ;;
	sys)		echo base sys ;;
	topology)	echo base sys topology ;;
	policy)		echo base policy ;;
	pool)		echo base sys topology policy pool ;;
	near)		echo base sys near ;;
	map)		echo base sys topology policy pool map ;;
	control)	echo base sys topology policy pool map control ;;
	smdk|emucxl)	echo "$1" ;;
	api|entry)	echo base sys topology policy pool map control entry api ;;
	mem)		echo base sys topology policy pool map control entry api mem ;;
	esac
}

complain() {
	echo "$1"
	bad=1
}

for folder in *; do
	[ -d "$folder" ] || continue
	may=" $(allowed "$folder") "
	[ "$may" != "  " ] || complain "src/$folder: no rule for this folder"
	for file in "$folder"/*.[ch] "$folder"/*.def; do
		[ -f "$file" ] || continue
		for inc in $(sed -n \
			's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' \
			"$file"); do
			case $inc in
			config.h|cxlmalloc.h|cxlmalloc/*) continue ;;
			smdk_opt_api.h|emucxl.h|emucxl_lib.h) continue ;;
			jemalloc/layout.h) continue ;;	# made by jemalloc/build
			esac
			case $may in
			*" ${inc%%/*} "*) ;;
			*) complain "src/$file includes $inc: $folder may not" ;;
			esac
		done
		case $file in pool/je*) continue ;; esac
		if grep -n '#[[:space:]]*include.*jemalloc' "$file"; then
			complain "src/$file includes jemalloc: only pool/je* may"
		fi
	done
done
exit $bad
