-- Holds the directory of logins still: nobody claims or gives back an address until this transaction ends.
lock table login_directory in share row exclusive mode
