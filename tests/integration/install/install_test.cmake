# Installs into an empty folder and starts each program from there, the plugin by the name that kubectl calls it.
set(prefix ${BINARY_DIR}/Testing/Temporary/installed)
file(REMOVE_RECURSE ${prefix})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BINARY_DIR} --prefix ${prefix} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

function(expect wanted)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
  string(FIND "${said}" "${wanted}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${ARGN} does not say \"${wanted}\" but: ${said}")
  endif()
endfunction()

expect("keyturn-controller ${VERSION}" ${prefix}/bin/keyturn-controller --version)
expect("keyturn-sim ${VERSION}" ${prefix}/bin/keyturn-sim --version)
expect("${VERSION}" ${prefix}/bin/keyturn version)
expect("kubectl keyturn" ${prefix}/bin/kubectl-keyturn --help)

file(READ_SYMLINK ${prefix}/bin/kubectl-keyturn link)
if(NOT link STREQUAL "keyturn")
  message(FATAL_ERROR "kubectl-keyturn is a link to ${link}")
endif()
file(REMOVE_RECURSE ${prefix})
