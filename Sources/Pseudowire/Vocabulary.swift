// Configurations are made of these modules' types: who imports Pseudowire needs no second import to write one.
@_exported public import InternetAddress
@_exported public import L2TP
