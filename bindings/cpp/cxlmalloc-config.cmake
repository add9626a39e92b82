# SPDX-License-Identifier: BSD-2-Clause
#
# cxlmalloc::cxlmem	the API: cxlmalloc.h and cxlmalloc.hpp, overrides nothing
# cxlmalloc::cxlmalloc	the malloc, for programs that link it
#
# Found beside this file, wherever the tree was moved to.
get_filename_component(_cxlmalloc_libdir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
find_path(CXLMALLOC_INCLUDE_DIR cxlmalloc.hpp
	HINTS "${_cxlmalloc_libdir}/../include" "${_cxlmalloc_libdir}/../../include")
set(cxlmalloc_FOUND TRUE)
foreach(_cxlmalloc_name cxlmem cxlmalloc)
	string(TOUPPER "${_cxlmalloc_name}_LIBRARY" _cxlmalloc_variable)
	find_library(${_cxlmalloc_variable} ${_cxlmalloc_name}
		HINTS "${_cxlmalloc_libdir}")
	if(NOT CXLMALLOC_INCLUDE_DIR OR NOT ${_cxlmalloc_variable})
		set(cxlmalloc_FOUND FALSE)
		set(cxlmalloc_NOT_FOUND_MESSAGE
			"no cxlmalloc.hpp or lib${_cxlmalloc_name} near ${CMAKE_CURRENT_LIST_DIR}")
	elseif(NOT TARGET cxlmalloc::${_cxlmalloc_name})
		add_library(cxlmalloc::${_cxlmalloc_name} SHARED IMPORTED)
		set_target_properties(cxlmalloc::${_cxlmalloc_name} PROPERTIES
			IMPORTED_LOCATION "${${_cxlmalloc_variable}}"
			INTERFACE_INCLUDE_DIRECTORIES "${CXLMALLOC_INCLUDE_DIR}")
	endif()
endforeach()
