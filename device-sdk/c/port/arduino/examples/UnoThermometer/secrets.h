// secrets.h -- who this board is. Made anew for each board:
//   npx tidegate device add uno-1 --json | node hardware/flash/credential-header.mjs > secrets.h
#define TIDEGATE_ID "uno-1"
#define TIDEGATE_TOKEN ""
