# The Debian package: cpack -G DEB --config build/release/CPackConfig.cmake. deploy/docker/steps.sh runs it.
# What goes to /etc and to systemd is in the package alone, not in a plain `cmake --install`.
include(GNUInstallDirs)
set(PACKAGING ${PROJECT_SOURCE_DIR}/deploy)
install(TARGETS llm-router RUNTIME COMPONENT server)
install(FILES ${PACKAGING}/debian/llm-router.yaml DESTINATION /etc/llm-router COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${PACKAGING}/debian/llm-router.env DESTINATION /etc/llm-router COMPONENT server EXCLUDE_FROM_ALL
        PERMISSIONS OWNER_READ OWNER_WRITE)
install(FILES ${PACKAGING}/systemd/llm-router.service ${PACKAGING}/systemd/llm-router@.service
        DESTINATION lib/systemd/system COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${PACKAGING}/llm-router.yaml ${PACKAGING}/providers.yaml DESTINATION share/doc/llm-router/examples
        COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION share/doc/llm-router RENAME copyright COMPONENT server
        EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME llm-router)
set(CPACK_PACKAGE_CONTACT "The llm-router maintainers <maintainers@llm-router.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "LLM queries over a message broker: gateway, worker, jobs service and command line")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL server)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_SERVER_PACKAGE_NAME llm-router)
set(CPACK_DEBIAN_SERVER_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # the libraries that it is linked to, by their packages
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA ${PACKAGING}/debian/conffiles ${PACKAGING}/debian/postinst
    ${PACKAGING}/debian/prerm ${PACKAGING}/debian/postrm)
include(CPack)
