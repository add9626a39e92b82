# SPDX-License-Identifier: BSD-2-Clause
# Readline replaces only what stands behind the last '=' or ':', where it
# breaks words there: the rest goes from the candidates.
_cxlctl_fit()
{
	local breaks=${COMP_WORDBREAKS//[^:=]/} before='' i
	if [[ -n $breaks && $cur == *["$breaks"]* ]]; then
		before=${cur%"${cur##*["$breaks"]}"}
	fi
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$before"}
	done
	if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

_cxlctl_take()
{
	COMPREPLY=($(compgen -W "$1" -- "$cur"))
	_cxlctl_fit
}

# Paths behind $2; $1 is what compgen calls them
_cxlctl_paths()
{
	local IFS=$'\n' i
	COMPREPLY=($(compgen "$1" -- "${cur#"$2"}"))
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=$2${COMPREPLY[i]}
	done
	compopt -o filenames 2>/dev/null
	_cxlctl_fit
}

# What the word behind $2 may be, which is of kind $1
_cxlctl_word()
{
	local REPLY key
	case $1 in
	FILE) _cxlctl_paths -f "$2" ;;
	DIR) _cxlctl_paths -d "$2" ;;
	COMMAND) _cxlctl_paths -c "$2" ;;
	NODE | NODES)
		REPLY=$(cd /sys/devices/system/node 2>/dev/null &&
			printf '%s ' node[0-9]*)
		_cxlctl_values "$2" "${REPLY//node/}"
		;;
	PID) _cxlctl_values "$2" "$(cxlctl ps 2>/dev/null |
		sed -n 's/^ *\([0-9]\{1,\}\).*/\1/p')" ;;
	KEY=VALUE)
		if [[ ${cur#"$2"} == *=* ]]; then
			key=${cur#"$2"}
			key=${key%%=*}
			_cxlctl_key "$key"
			if [[ $REPLY == FILE ]]; then _cxlctl_paths -f "$2$key="
			else _cxlctl_values "$2$key=" "$REPLY"
			fi
		else
			_cxlctl_values "$2" "$_cxlctl_keys"
		fi
		;;
	[a-z]* | *\|*) _cxlctl_values "$2" "${1//|/ }" ;;
	esac
}

# Words behind $1; what has a capital stands for something
_cxlctl_values()
{
	local all='' one
	for one in $2; do
		if [[ $one != [A-Z]* ]]; then all+="$1$one "; fi
	done
	_cxlctl_take "$all"
}

_cxlctl()
{
	local line=${COMP_LINE:0:COMP_POINT} cur command REPLY kinds
	local options args stops
	local -i i n=0
	local -a words
	COMPREPLY=()
	read -ra words <<<"$line"
	if [[ $line == *[[:space:]] ]]; then words+=(''); fi
	cur=${words[${#words[@]} - 1]}
	if ((${#words[@]} < 3)); then
		_cxlctl_take "$_cxlctl_commands --help --version"
		return
	fi
	command=${words[1]}
	_cxlctl_command "$command" || return
	kinds=($args)
	for ((i = 2; i < ${#words[@]} - 1; i++)); do
		if ((n >= 1000)); then
			n=$((n + 1))
			continue
		fi
		case ${words[i]} in
		--) n=1000 ;;
		--*=*) ;;
		-?*)
			_cxlctl_option "$command" "${words[i]}" || continue
			i=$((i + 1))
			if ((i == ${#words[@]} - 1)); then
				_cxlctl_word "$REPLY" ''
				return
			fi
			;;
		*)
			n=$((n + 1))
			if [[ $stops ]]; then n=1001; fi
			;;
		esac
	done
	if ((n >= 1000)); then
		if ((n > 1000)); then _cxlctl_paths -f ''
		else _cxlctl_word "${kinds[0]}" ''
		fi
		return
	fi
	case $cur in
	--*=*)
		if _cxlctl_option "$command" "${cur%%=*}"; then
			_cxlctl_word "$REPLY" "${cur%%=*}="
		fi
		;;
	-*) _cxlctl_take "$options --help" ;;
	*)
		if ((${#kinds[@]} == 0)); then return; fi
		if ((n >= ${#kinds[@]})); then n=$((${#kinds[@]} - 1)); fi
		_cxlctl_word "${kinds[n]}" ''
		;;
	esac
}
complete -F _cxlctl cxlctl
