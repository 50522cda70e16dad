export function Admin() { return (<div />); }
