# find_package(llm_router) gives the target llm_router::client: one archive that holds the client library and all of ours
# that it stands on, and its public headers, which are included as here: "client/client.h".
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(llm_router_client_archive STATIC)
foreach(part llm_router_client kubemq_broker kubemq_wire reply_streams broker contract base kubemq_proto)
  target_sources(llm_router_client_archive PRIVATE $<TARGET_OBJECTS:${part}>)
endforeach()
target_link_libraries(
  llm_router_client_archive PRIVATE gRPC::grpc++ OpenSSL::SSL protobuf::libprotobuf absl::status absl::statusor
                                    absl::strings absl::btree absl::flat_hash_map absl::synchronization fmt::fmt
                                    spdlog::spdlog Threads::Threads)
target_include_directories(llm_router_client_archive INTERFACE $<INSTALL_INTERFACE:include/llm_router>)
target_compile_features(llm_router_client_archive INTERFACE cxx_std_17)
set_target_properties(
  llm_router_client_archive PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME llm_router_client EXPORT_NAME client
                                       ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/archive)

set(CLIENT_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/llm_router)
configure_file(llm_router-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/llm_router-config.cmake @ONLY)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/llm_router-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(TARGETS llm_router_client_archive EXPORT llm_router_targets ARCHIVE COMPONENT client)
install(FILES batch.h canceller.h client.h job.h pattern.h question.h result.h stream.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/llm_router/client COMPONENT client)
install(EXPORT llm_router_targets NAMESPACE llm_router:: DESTINATION ${CLIENT_PACKAGE} COMPONENT client)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/llm_router-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/llm_router-config-version.cmake DESTINATION ${CLIENT_PACKAGE}
        COMPONENT client)
