# How every target of ours is compiled, and the four shapes a target can have.
add_library(keyturn_options INTERFACE)
target_include_directories(keyturn_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(
  keyturn_options
  INTERFACE -Wall
            -Wextra
            -Werror
            -Wshadow
            -Wnon-virtual-dtor
            -Wno-missing-designated-field-initializers
            -fstack-protector-strong
            $<$<CONFIG:Debug>:-gline-tables-only>)
target_compile_definitions(
  keyturn_options
  INTERFACE BOOST_ASIO_SEPARATE_COMPILATION
            BOOST_BEAST_SEPARATE_COMPILATION
            BOOST_ASIO_NO_DEPRECATED
            BOOST_ASIO_DISABLE_BOOST_COROUTINE
            KEYTURN_VERSION="${PROJECT_VERSION}"
            $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>
            _GLIBCXX_ASSERTIONS)
target_link_options(keyturn_options INTERFACE -fuse-ld=mold -Wl,-z,relro,-z,now)
if(KEYTURN_SANITIZE)
  target_compile_options(keyturn_options INTERFACE -fsanitize=${KEYTURN_SANITIZE} -fno-sanitize=vptr,function
                                                   -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(keyturn_options INTERFACE -fsanitize=${KEYTURN_SANITIZE})
endif()
if(KEYTURN_COVERAGE)
  target_compile_options(keyturn_options INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(keyturn_options INTERFACE -fprofile-instr-generate)
endif()

# keyturn_layer(NAME sources... LINKS targets...): one static library per layer.
function(keyturn_layer name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC keyturn_options ${ARG_LINKS})
endfunction()

# keyturn_pch(NAME headers...): where it pays.
function(keyturn_pch name)
  if(KEYTURN_PCH)
    target_precompile_headers(${name} PRIVATE ${ARGN})
    target_compile_options(${name} PRIVATE -Xclang -fno-pch-timestamp) # lets ccache reuse it
  endif()
endfunction()

# keyturn_test(NAME sources... LINKS targets...): a GoogleTest binary, one ctest entry per binary.
function(keyturn_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "LINKS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gtest GTest::gtest_main)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(
    ${name}
    PROPERTIES TIMEOUT ${ARG_TIMEOUT}
               ENVIRONMENT
               "KEYTURN_SOURCE_DIR=${PROJECT_SOURCE_DIR};KEYTURN_BINARY_DIR=${PROJECT_BINARY_DIR};ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=die_after_fork=0;LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp:print_suppressions=0"
  )
endfunction()
