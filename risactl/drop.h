/* Files that are not whole, and are taken away whatever ends the program. */
#ifndef RISACTL_DROP_H
#define RISACTL_DROP_H

/* This one, which is ours and was just made, goes at the end; two at most. */
void	 drop_file(const char *path);
/* Those named so far are whole, and stay. */
void	 drop_none(void);

#endif
