# Compiles one file (COMPILER, FLAGS, FILE) without producing anything. Its first line says what must happen: "// compiles", or
# "// error: TEXT" for a refusal whose message contains TEXT.
file(STRINGS ${FILE} first_line LIMIT_COUNT 1)
execute_process(
  COMMAND ${COMPILER} -fsyntax-only ${FLAGS} ${FILE}
  RESULT_VARIABLE status
  ERROR_VARIABLE messages
  OUTPUT_QUIET)
if(first_line STREQUAL "// compiles")
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "must compile, but:\n${messages}")
  endif()
elseif(first_line MATCHES "^// error: (.+)$")
  set(expected "${CMAKE_MATCH_1}")
  if(status EQUAL 0)
    message(FATAL_ERROR "compiles, but must be refused with: ${expected}")
  endif()
  # A missing header would be a refusal too.
  string(FIND "${messages}" "${expected}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "is refused for another reason than \"${expected}\":\n${messages}")
  endif()
else()
  message(FATAL_ERROR "the first line does not say what to expect")
endif()
