/* The functions of libvncserver that the VNC server uses, found when it is opened. */
#ifndef REPRISE_VNC_LIBRARY_H
#define REPRISE_VNC_LIBRARY_H

#include "error.h"
#include <rfb/rfb.h>
#include <stdbool.h>

/* rfbInitServer is a macro that says how the library was built: names go through one more. */
#define VNC_FUNCTIONS(X)                                                                           \
    X(rfbCheckPasswordByList, rfbCheckPasswordByList)                                              \
    X(rfbCloseClient, rfbCloseClient)                                                              \
    X(rfbGetScreen, rfbGetScreen)                                                                  \
    X(initServer, rfbInitServer)                                                                   \
    X(rfbLogEnable, rfbLogEnable)                                                                  \
    X(rfbMarkRectAsModified, rfbMarkRectAsModified)                                                \
    X(rfbNewClient, rfbNewClient)                                                                  \
    X(rfbNewFramebuffer, rfbNewFramebuffer)                                                        \
    X(rfbProcessEvents, rfbProcessEvents)                                                          \
    X(rfbReadExact, rfbReadExact)                                                                  \
    X(rfbRegisterProtocolExtension, rfbRegisterProtocolExtension)                                  \
    X(rfbScreenCleanup, rfbScreenCleanup)                                                          \
    X(rfbShutdownServer, rfbShutdownServer)                                                        \
    X(rfbUnregisterProtocolExtension, rfbUnregisterProtocolExtension)                              \
    X(rfbWriteExact, rfbWriteExact)

typedef struct VncLibrary {
#define VNC_POINTER(member, name) __typeof__(name) *member;
    VNC_FUNCTIONS(VNC_POINTER)
#undef VNC_POINTER
} VncLibrary;

bool vnc_library_load(VncLibrary *vnc, Error *error);

#endif
